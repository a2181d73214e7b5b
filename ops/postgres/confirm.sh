#!/bin/sh
# Run in the primary's container after a promotion, once it has a standby again: each commit then
# waits until the standby has it too.
#
#     docker compose --profile engine up -d --wait postgres-1
#     docker compose exec postgres-2 /ops/confirm.sh
set -eu

# $1: a pattern for sync_state
has_standby() {
  psql -Atqc "select 1 from pg_stat_replication where state = 'streaming' and sync_state ~ '$1'" |
    grep -q 1
}

until has_standby .; do sleep 1; done
psql -qAt -c "alter system reset synchronous_standby_names" -c "select pg_reload_conf()" >/dev/null
until has_standby sync; do sleep 1; done
# The standby has this commit only after all those that the primary has confirmed alone.
psql -q -c "comment on database tertulia is 'Each commit waits for the standby.'"
rm -f /var/run/postgresql/alone
echo "Each commit waits for the standby."

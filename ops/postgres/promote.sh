#!/bin/sh
# Makes the standby in this container the primary. The former primary must be off:
#
#     docker compose kill postgres-1
#     docker compose exec postgres-2 /ops/promote.sh
#
# In the primary's container, it lets the primary go on without a standby that is lost.
set -eu
shared=/var/run/postgresql
own=$(hostname)
primary=$(cat "$shared/primary")

refuse() {
  echo "promote.sh: $1" >&2
  exit 1
}

if [ "$own" != "$primary" ]; then
  ! pg_isready -q -h "$primary" -U tertulia -d tertulia ||
    refuse "$primary still answers: stop it first, by \`docker compose kill $primary\`."
  ! [ -e "$shared/alone" ] ||
    refuse "$primary has confirmed writes alone, so this copy may lack some: start $primary, or accept the loss by \`rm $shared/alone\`."
  # Before all else, because from now on the former primary starts only as a standby.
  echo "$own" >"$shared/primary.new"
  sync "$shared/primary.new"
  mv "$shared/primary.new" "$shared/primary"
fi
touch "$shared/alone"
# Without this, each commit would wait for a standby.
psql -qAt -v ON_ERROR_STOP=1 <<'SQL' >/dev/null
alter system set synchronous_standby_names = '';
select pg_reload_conf();
select pg_promote() where pg_is_in_recovery();
SQL
echo "$own is the primary, and confirms writes alone until confirm.sh is run."

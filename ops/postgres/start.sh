#!/bin/sh
# Starts PostgreSQL in a container of docker-compose.yml. The containers share a volume: `password` is
# the database's password; `primary` names the primary; `alone` exists while the primary confirms
# writes without a standby. A container whose name is not in `primary` is the standby. So a primary
# that was killed comes back as the standby of the one that was promoted, and never as a second primary.
set -eu
umask 077
shared=/var/run/postgresql
own=$(hostname)
new=$PGDATA.new
export PGPASSFILE=/tmp/pgpass

# Writes standard input to a file of the shared volume: all of it, or nothing.
share() {
  cat >"$shared/$1.new"
  # The servers, which read the password, are another user.
  chmod 644 "$shared/$1.new"
  sync "$shared/$1.new"
  mv "$shared/$1.new" "$shared/$1"
}

make_database() {
  rm -rf "$new"
  initdb -D "$new" --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 \
    --data-checksums --no-instructions
  # No error may show the password. `pg_read_all_stats` lets receipts name the standby.
  postgres --single -c log_min_error_statement=panic -D "$new" postgres <<SQL
create role tertulia login replication in role pg_read_all_stats password '$(cat "$shared/password")'
create database tertulia owner tertulia
SQL
  cat >>"$new/pg_hba.conf" <<'HBA'
host tertulia    tertulia all scram-sha-256
host replication tertulia all scram-sha-256
HBA
  cat >>"$new/postgresql.conf" <<'CONF'
listen_addresses = '*'
unix_socket_directories = '/tmp'
max_connections = 300
wal_keep_size = 1GB
synchronous_standby_names = '"postgres-1", "postgres-2"'
CONF
  mv "$new" "$PGDATA"
}

copy_primary() {
  until pg_isready -q -h "$primary" -U tertulia -d tertulia; do sleep 1; done
  rm -rf "$new"
  pg_basebackup -D "$new" -h "$primary" -U tertulia -c fast
  touch "$new/standby.signal"
  rm -rf "$PGDATA"
  mv "$new" "$PGDATA"
}

if [ "$own" = postgres-1 ] && ! [ -e "$shared/primary" ]; then
  od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' | share password
  echo "$own" | share primary
fi
until [ -e "$shared/primary" ]; do sleep 1; done
primary=$(cat "$shared/primary")
echo "*:*:*:tertulia:$(cat "$shared/password")" >"$PGPASSFILE"

if [ "$own" != "$primary" ]; then
  # A standby has standby.signal; a former primary has none, so it is copied anew.
  [ -e "$PGDATA/standby.signal" ] || copy_primary
else
  [ -e "$PGDATA" ] || make_database
fi
exec postgres -c primary_conninfo="host=$primary user=tertulia application_name=$own"

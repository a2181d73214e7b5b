#!/bin/sh
# Starts Redis in a container of docker-compose.yml, with the password of the database, which the first
# start of PostgreSQL makes. Redis reads the password from its standard input, so no list of processes
# shows it. It keeps nothing on disk: whatever it loses, the servers have elsewhere.
set -eu
password=/run/engine/password
until [ -s "$password" ]; do sleep 1; done
exec redis-server - <<CONF
requirepass $(cat "$password")
save ""
maxmemory 64mb
maxmemory-policy allkeys-lru
CONF

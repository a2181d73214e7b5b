#!/bin/sh
# Backs up a cluster into a folder, and deletes all but the newest backups there (O53):
#
#     backup.sh FOLDER [COUNT]
#
# COUNT is 14 by default. The settings of `tertulia backup` are in the environment. TERTULIA is the command
# `tertulia`, such as TERTULIA='docker compose exec -T server node dist/cli.js'.
set -eu
umask 077
folder=$1
count=${2:-14}
if ! [ "$count" -ge 1 ] 2>/dev/null; then
  echo "backup.sh: COUNT is the number of backups to keep, 1 or more: \"$count\" won't do." >&2
  exit 2
fi
file=$folder/tertulia-$(date -u +%Y-%m-%dT%H-%M-%SZ).backup
trap 'rm -f "$file.part"' EXIT
# Not every shell runs the line above when a signal ends it.
trap 'exit 1' HUP INT TERM
# Split on purpose: the command may have arguments.
# shellcheck disable=SC2086
${TERTULIA:-tertulia} backup - >"$file.part"
sync "$file.part"
mv "$file.part" "$file"
# Names have the time, so the newest is the last one.
ls -r "$folder"/tertulia-*.backup | tail -n "+$((count + 1))" | while IFS= read -r old; do
  rm -- "$old"
done

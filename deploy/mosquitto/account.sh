#!/bin/sh
# Accounts of Huishi's agents and ingests at a mosquitto broker.
#
#   account.sh add <name>      reads the password from standard input (one line), makes <name> and <name>_media
#   account.sh remove <name>
#
# Works on $HUISHI_MOSQUITTO_DIR/passwords and .../acl (default /etc/mosquitto/huishi). Afterwards the broker must
# read them again: systemctl reload mosquitto (SIGHUP). A client that is connected keeps its connection until then.
set -eu
umask 077

folder=${HUISHI_MOSQUITTO_DIR:-/etc/mosquitto/huishi}
passwords=$folder/passwords
acl=$folder/acl

fail() {
  echo "account.sh: $1" >&2
  exit 1
}

[ $# -eq 2 ] || fail "usage: account.sh add|remove <name>"
name=$2
case $name in
  '' | *[!a-z0-9-]*) fail "a name is made of a-z, 0-9 and -" ;;
esac
[ ${#name} -le 64 ] || fail "a name has 64 characters at most"
touch "$passwords"
work=$(mktemp -d "$folder/.account.XXXXXX")
trap 'rm -rf "$work"' EXIT

# In place, so that the files keep their owner and mode.
without_account() {
  grep -v -e "^$name:" -e "^${name}_media:" "$passwords" >"$work/passwords" || true
  awk -v media="user ${name}_media" '$0 == media { skip = 1; next } skip && /^topic / { next } { skip = 0; print }' \
    "$acl" >"$work/acl"
}

case $1 in
  add)
    IFS= read -r password || [ -n "$password" ] || fail "give the password on standard input"
    [ -n "$password" ] || fail "the password is empty"
    case $password in *:*) fail "the password may hold no colon" ;; esac
    without_account
    # Hashed from a file: a password as an argument could be read by others.
    printf '%s:%s\n%s_media:%s\n' "$name" "$password" "$name" "$password" >"$work/new"
    mosquitto_passwd -U "$work/new"
    cat "$work/new" >>"$work/passwords"
    # The lines of ingests' media accounts stand in the file as it is shipped.
    case $name in
      huishi-ingest*) ;;
      *) printf 'user %s_media\ntopic write huishi/v1/%s/media/+/+\ntopic write huishi/v1/%s/upload/+\n' \
        "$name" "$name" "$name" >>"$work/acl" ;;
    esac
    ;;
  remove) without_account ;;
  *) fail "usage: account.sh add|remove <name>" ;;
esac
case $name in huishi-ingest*) ;; *) cat "$work/acl" >"$acl" ;; esac
cat "$work/passwords" >"$passwords"

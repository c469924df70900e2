#!/bin/sh
# Installs the Rearguard agent on this server, or upgrades it. Must run as root. Running it again is safe.
#
# Environment variables:
#   REARGUARD_TOKEN   The enrolment token. If it is needed and not set, the script prompts for it.
#   REARGUARD_ROOT    A directory that replaces /, to install the agent into an image. If it is set, the
#                     script does not start the agent.
#
# Files that the script writes:
#   /usr/local/lib/rearguard-agent                 the agent and Deno
#   /etc/rearguard-agent                           the address of the control plane
#   /var/lib/rearguard-agent                       the token; later, the agent writes its key and journal here
#   /etc/systemd/system/rearguard-agent.service    the systemd unit
set -eu

url=@URL@
target=@TARGET@

root=${REARGUARD_ROOT:-}
token=${REARGUARD_TOKEN:-}
unset REARGUARD_TOKEN || true

programs=$root/usr/local/lib/rearguard-agent
settings=$root/etc/rearguard-agent
state=$root/var/lib/rearguard-agent
units=$root/etc/systemd/system

fail() {
  printf 'Cannot install the agent: %s\n' "$1" >&2
  exit 1
}

check() {
  [ "$(id -u)" = 0 ] || fail "it must run as root (pipe it to: sudo --preserve-env=REARGUARD_TOKEN sh)"
  [ "$(uname -s)" = Linux ] || fail "it runs on Linux only"
  case "$target" in
    "$(uname -m)"-*-linux-gnu) ;;
    *) fail "this control plane has programs for $target, and this server is $(uname -m)" ;;
  esac
  for program in curl sha256sum mktemp; do
    command -v "$program" >/dev/null || fail "$program is not installed; run: apt-get install -y curl coreutils"
  done
  [ -n "$root" ] || command -v systemctl >/dev/null || fail "this server has no systemd"
}

download() {
  for name in SHA256SUMS agent.js deno rearguard-agent.service; do
    curl -fsSL --retry 3 -o "$work/$name" "$url/agent/$name" || fail "$url/agent/$name can't be downloaded"
  done
  (cd "$work" && sha256sum -c SHA256SUMS >/dev/null) || fail "a download is damaged; run this again"
}

# Returns whether the agent has a valid key. The control plane responds with 401 if the key is not valid, and
# with 426 if it is, because the request opens no websocket. curl reads the key from a file, because every
# user can read arguments.
is_enrolled() {
  [ -s "$state/key" ] || return 1
  (umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$(cat "$state/key")" >"$work/curl")
  answer=$(curl -s -o /dev/null -w '%{http_code}' -K "$work/curl" "$url/api/agent/connect") ||
    fail "$url can't be reached"
  rm "$work/curl"
  [ "$answer" != 401 ]
}

ask_for_token() {
  [ -z "$token" ] || return 0
  # If the shell reads this script from standard input, the token must come from the terminal.
  if [ -t 0 ]; then input=/dev/stdin; else input=/dev/tty; fi
  (: <"$input") 2>/dev/null || fail "set REARGUARD_TOKEN to the server's enrolment token"
  printf 'Enrolment token: ' >&2
  stty -echo <"$input" 2>/dev/null || true
  IFS= read -r token <"$input" || true
  stty echo <"$input" 2>/dev/null || true
  printf '\n' >&2
  [ -n "$token" ] || fail "it needs the server's enrolment token"
}

# Installs a downloaded file under a temporary name, and then renames it. So a running program keeps its old
# file, and an interrupted installation leaves the old file intact.
place() {
  cp "$work/$1" "$3/$1.new"
  chmod "$2" "$3/$1.new"
  mv -f "$3/$1.new" "$3/$1"
}

# Sets the control plane's address in the file of settings. Keeps the file's mode and the operator's other
# settings, such as proxies, certificate authorities and limits.
write_settings() {
  [ ! -f "$1" ] || cp -p "$1" "$1.new"
  {
    printf 'REARGUARD_URL=%s\n' "$url"
    [ ! -f "$1" ] || grep -v '^REARGUARD_URL=' "$1" || true
  } >"$1.new"
  mv -f "$1.new" "$1"
}

main() {
  check
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  download
  mkdir -p "$programs" "$settings" "$units"
  [ -d "$state" ] || mkdir -p -m 0711 "$state"

  if is_enrolled; then
    rm -f "$state/token"
  else
    ask_for_token
    rm -f "$state/key"
    (umask 077 && printf '%s\n' "$token" >"$state/token")
  fi

  place deno 755 "$programs"
  place agent.js 644 "$programs"
  place rearguard-agent.service 644 "$units"
  write_settings "$settings/agent.env"

  for program in tar zstd; do
    command -v "$program" >/dev/null ||
      printf 'Warning: a backup needs %s; run: apt-get install -y %s\n' "$program" "$program" >&2
  done
  if [ -n "$root" ]; then
    printf 'The agent is installed under %s.\n' "$root"
    return
  fi

  systemctl daemon-reload
  systemctl enable --quiet rearguard-agent.service
  systemctl restart rearguard-agent.service
  tries=0
  until [ -s "$state/key" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || fail "it does not enrol; see: journalctl -u rearguard-agent"
    sleep 1
  done
  rm -f "$state/token"
  printf 'The agent is installed, enrolled and running.\n'
}

main

# What a slot runs until it is told which program it becomes. Speaks on descriptor 3: one byte up, then lines down for each
# program: a label, its working directory, an argument per line that begins with "=", of which lines that begin with "+" are the
# rest after a line feed, and how it is to run:
#   .  in the place of this shell        !  the same, and it gets descriptor 3, too
#   &  beside what comes next            ~  under this shell, which ends as it does once it is told to
#   %  as ~, and it gets descriptor 3, too
# The end of each that does not replace this shell goes up as a frame: C, its label, a blank, its status. Without another line
# the host has gone, and so does this.

# What this shell itself has to say of programs that were killed belongs into no log.
exec 4>&2 2>/dev/null
printf U >&3
line_feed='
'

report() {
  body="C$1 $2"
  printf "$(printf '\\%03o\\000\\000\\000' "${#body}")%s" "$body" >&3
}

# Ends as the program did that was run under this shell.
end_with() {
  report "$label" "$1"
  IFS= read -r line <&3 || exit 0
  [ "$1" -le 128 ] || kill "-$(($1 - 128))" $$
  exit "$1"
}

supervise() {
  "$@" 2>&4 4>&- &
  pid=$!
  trap 'kill -TERM "$pid" 2>/dev/null' TERM
  while :; do
    wait "$pid"
    status=$?
    kill -0 "$pid" 2>/dev/null || break
  done
  trap '' TERM
  end_with "$status"
}

label=
directory=
argument=
is_first=yes
while IFS= read -r line <&3; do
  case $line in
  '#'*) label=${line#'#'} ;;
  /*) directory=$line ;;
  =*)
    [ "$is_first" ] || set -- "$@" "$argument"
    is_first=
    argument=${line#=}
    ;;
  +*) argument=$argument$line_feed${line#+} ;;
  *)
    set -- "$@" "$argument"
    is_first=yes
    case $line in
    '&')
      (
        cd "$directory" && (exec "$@" 2>&4 3>&- 4>&-)
        report "$label" $?
      ) &
      set --
      continue
      ;;
    esac
    cd "$directory" || exit 126
    case $line in
    .) exec "$@" 2>&4 3>&- 4>&- ;;
    !) exec "$@" 2>&4 4>&- ;;
    %) supervise "$@" ;;
    '~') supervise /bin/sh -c 'exec 3>&- && exec "$@"' sh "$@" ;;
    esac
    exit 126
    ;;
  esac
done

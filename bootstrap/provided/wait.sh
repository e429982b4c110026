# What a slot runs until it is told which program it becomes. Speaks on descriptor 3: one byte up, then lines down. The first
# is the working directory; then an argument per line that begins with "=", of which lines that begin with "+" are the rest
# after a line feed. "." ends them, or "!" where the program is to have descriptor 3, too. Without that the host has gone, and so
# does this.
printf U >&3
IFS= read -r directory <&3 || exit 0
line_feed='
'
argument=
is_first=yes
while IFS= read -r line <&3; do
  case $line in
  =*)
    [ "$is_first" ] || set -- "$@" "$argument"
    is_first=
    argument=${line#=}
    ;;
  +*) argument=$argument$line_feed${line#+} ;;
  . | !)
    set -- "$@" "$argument"
    cd "$directory" || exit 126
    [ "$line" = ! ] || exec 3>&-
    exec "$@"
    ;;
  esac
done

# The watchdog of one gateway. It reads "+GROUP" and "-GROUP" lines; when its input ends, the gateway is gone, however
# it went, and every process group still on the list is killed. The braces make the shell read the whole file first.
{
  trap '' HUP INT QUIT TERM
  groups=' '
  while read -r line; do
    group=${line#?}
    case $line in
      +*) groups="$groups$group " ;;
      -*) case $groups in
            *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
          esac ;;
    esac
  done
  for group in $groups; do
    kill -s KILL -- "-$group" 2>/dev/null
  done
  exit 0
}

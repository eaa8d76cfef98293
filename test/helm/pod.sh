#!/bin/sh
# Becomes a process in a container's view of the files. Runs in a mount namespace of its own, which ends with it.
#   pod.sh ROOT MOUNTS USER -- COMMAND…      MOUNTS: lines of "ro|rw FROM TO"
set -eu
root=$1 mounts=$2 user=$3
shift 4

mount -t tmpfs -o mode=755 pod "$root"
mkdir "$root/proc" "$root/dev" "$root/sys" "$root/etc"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"

# The base image's programs and libraries are lent by this machine, without what was installed beside Debian's own.
mkdir "$root/usr"
mount --bind /usr "$root/usr"
mount -o remount,ro,bind "$root/usr"
mount -t tmpfs -o ro none "$root/usr/local"
for folder in bin sbin lib lib64; do
  [ -L "/$folder" ] && ln -s "usr/$folder" "$root/$folder"
done

while read -r mode from to; do
  if [ -d "$from" ]; then mkdir -p "$root$to"; else mkdir -p "$root$(dirname "$to")"; : >"$root$to"; fi
  mount --bind "$from" "$root$to"
  [ "$mode" = rw ] || mount -o remount,ro,bind "$root$to"
done <"$mounts"

mount -o remount,ro "$root"
# No privilege to gain, no capability to keep: what allowPrivilegeEscalation: false and drop: [ALL] come to.
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --groups="${user#*:}" \
  --no-new-privs --bounding-set=-all --inh-caps=-all "$@"

#!/bin/sh
# Becomes a process in a container's view of the files. Runs in a mount namespace of its own, which ends with it.
#   pod.sh FOLDER MOUNTS USER IMAGE -- COMMAND…
# MOUNTS: lines of "ro|rw FROM TO". IMAGE: the root of a built image, or "-" to borrow this machine's programs.
set -eu
folder=$1 mounts=$2 user=$3 image=$4
shift 5
root=$folder/root

mount -t tmpfs -o mode=755 pod "$folder"
mkdir "$root" "$folder/upper" "$folder/work"
if [ "$image" = - ]; then
  # Without what was installed beside Debian's own, so that only what the image brings is found there.
  mkdir "$root/usr"
  mount --bind /usr "$root/usr"
  mount -o remount,ro,bind "$root/usr"
  mount -t tmpfs -o ro none "$root/usr/local"
  for name in bin sbin lib lib64; do
    if [ -L "/$name" ]; then ln -s "usr/$name" "$root/$name"; fi
  done
else
  mount -t overlay -o "lowerdir=$image,upperdir=$folder/upper,workdir=$folder/work" image "$root"
fi

for name in proc dev sys; do
  mkdir -p "$root/$name"
  mount --rbind "/$name" "$root/$name"
done
while read -r mode from to; do
  if [ -d "$from" ]; then mkdir -p "$root$to"; else mkdir -p "$root$(dirname "$to")" && : >"$root$to"; fi
  mount --bind "$from" "$root$to"
  if [ "$mode" = ro ]; then mount -o remount,ro,bind "$root$to"; fi
done <"$mounts"
if [ "$image" = - ]; then mount -o remount,ro "$folder"; else mount -o remount,ro "$root"; fi

# No privilege to gain, no capability to keep: what allowPrivilegeEscalation: false and drop: [ALL] come to.
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --groups="${user#*:}" \
  --no-new-privs --bounding-set=-all --inh-caps=-all "$@"

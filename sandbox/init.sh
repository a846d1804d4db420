#!/bin/bash
# Runs as PID 1 of the sandbox's fresh namespaces (mount, PID, network, IPC, UTS), gives them what a node needs, and
# becomes the program that holds them open. Nothing here is seen from outside, and all of it is gone with PID 1.
#
# From the environment: STATE PAUSE NODE NODE_IP GATEWAY_IP WORLD_IP METADATA_IP POD_CIDR
set -euo pipefail

hostname "$NODE"

# A /proc for the new PID namespace and a /sys for the new network namespace; the control groups, which nobody may
# mount again, are carried over.
cgroups=$STATE/cgroups
mkdir -p "$cgroups"
mount --rbind /sys/fs/cgroup "$cgroups"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount --move "$cgroups" /sys/fs/cgroup
rmdir "$cgroups"
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock

# On machines with both versions of control groups, runc would put containers into the second as well, and beside the
# sandbox's folder there. It looks at this place only; Cilium is told the other.
if mountpoint -q /sys/fs/cgroup/unified; then
    mkdir /run/cgroup2
    mount --move /sys/fs/cgroup/unified /run/cgroup2
fi

# The kubelet, containerd and CNI plugins also write to places that cannot be configured. A layer over the machine's
# folders takes that; the state folder shines through it.
mkdir /run/state
mount --bind "$STATE" /run/state
for folder in /usr/libexec /var/lib /var/log; do
    [[ -d $folder ]] || continue
    layer=/run/layers$folder
    mkdir -p "$layer/upper" "$layer/work"
    mount -t overlay -o "lowerdir=$folder,upperdir=$layer/upper,workdir=$layer/work" overlay "$folder"
done
mount --move /run/state "$STATE"

# etcd writes often and is thrown away with the cluster: memory.
mkdir -p "$STATE/etcd"
mount -t tmpfs -o mode=700,size=2g tmpfs "$STATE/etcd"

# The kubelet and Cilium set these for the whole machine. Here they write into files that only look like them.
mkdir -p /run/sysctl
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes kernel/unprivileged_bpf_disabled kernel/timer_migration; do
    [[ -e /proc/sys/$name ]] || continue
    cat "/proc/sys/$name" >"/run/sysctl/${name//\//.}"
    mount --bind "/run/sysctl/${name//\//.}" "/proc/sys/$name"
done

# The node's network cable. Its other end is in the namespace `world`, which plays the rest of the world; there is no
# way on from there.
ip link set lo up
ip link add node0 type veth peer name world0
ip address add "$NODE_IP/24" dev node0
ip netns add world
ip link set world0 netns world
ip -n world link set lo up
ip -n world link set world0 up
ip -n world address add "$GATEWAY_IP/24" dev world0
ip -n world address add "$WORLD_IP/32" dev lo
ip -n world address add "$METADATA_IP/32" dev lo
ip -n world route add "$POD_CIDR" via "$NODE_IP"
ip link set node0 up
ip route add default via "$GATEWAY_IP" dev node0
for setting in ip_forward=1 conf/all/rp_filter=0 conf/default/rp_filter=0; do
    echo "${setting#*=}" >"/proc/sys/net/ipv4/${setting%=*}"
done

# Volumes must reach the containers. Last, because mounts cannot be moved below a shared one.
mount --make-rshared /
exec "$PAUSE"

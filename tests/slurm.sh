#!/bin/sh
# A scan as an array of Slurm jobs, by real Slurm daemons: tests/slurm.sh SONDE, the command. For root, by hand;
# not part of ctest. Installs slurm-wlm and munge where they are missing.
#
# Two virtual nodes run four shards of a simulated scan; one is killed in the middle and requeued, and goes on from
# its resume file. Merged, the shards have what one run has, each result once. All of it is in namespaces (network,
# mounts, processes, host name) that end with the script, whatever happens; it takes five minutes at most.
set -eu

if [ "${1-}" != --inside ]; then
    if [ $# != 1 ] || [ ! -x "$1" ]; then sed -n "2,3s/^# //p" "$0" >&2; exit 2; fi
    [ "$(id -u)" = 0 ] || { echo "tests/slurm.sh: Slurm's daemons take root here" >&2; exit 77; }
    if ! command -v slurmctld slurmd munged >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends slurm-wlm munge >&2
    fi
    here=$(mktemp -d "${TMPDIR:-/tmp}/sonde-slurm-XXXXXX")
    trap 'rm -rf "$here"' EXIT
    status=0
    # The first process of a process namespace takes all others with it.
    timeout --kill-after=5 300 unshare --net --mount --uts --ipc --pid --fork --kill-child --mount-proc \
        "$(realpath "$0")" --inside "$(realpath "$1")" "$here" || status=$?
    exit $status
fi

sonde=$2 here=$3
cd "$here"

fail() {
    echo "tests/slurm.sh: $*" >&2
    tail -n 15 ./*.log log-* >&2 2>/dev/null || true
    exit 1
}
# await SECONDS WHAT COMMAND...: until it succeeds.
await() {
    left=$(($1 * 5)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || fail "waited in vain: $what"
        sleep 0.2
    done
}

# --- one host, of an address that is not loopback's, or the resolver gives Slurm none
hostname sondelab
printf '127.0.0.1 localhost\n198.51.100.1 sondelab\n' >hosts
mount --bind hosts /etc/hosts
ip link set lo up
ip link add eth1 type veth peer name far1
ip address add 198.51.100.1/24 dev eth1
ip link set eth1 up
ip link set far1 up

cat >slurm.conf <<END
ClusterName=sonde
SlurmctldHost=sondelab(198.51.100.1)
SlurmctldPort=26817
SlurmUser=root
AuthType=auth/munge
# A requeued job waits until its old credential has run out: not two minutes.
AuthInfo=socket=$here/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool-%n
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd-%n.pid
SlurmctldLogFile=$here/slurmctld.log
SlurmdLogFile=$here/slurmd-%n.log
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/linear
SchedulerType=sched/builtin
SlurmdParameters=config_overrides
KillWait=1
ReturnToService=2
NodeName=n1 NodeHostname=sondelab NodeAddr=198.51.100.1 Port=26821 CPUs=1
NodeName=n2 NodeHostname=sondelab NodeAddr=198.51.100.1 Port=26822 CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=5 State=UP
END
mkdir state spool-n1 spool-n2
chmod 755 .
export SLURM_CONF="$here/slurm.conf" MUNGE_SOCKET="$here/munge.socket"
dd if=/dev/urandom of=munge.key bs=1k count=1 2>/dev/null
chmod 400 munge.key
munged --force --foreground --key-file=munge.key --socket=munge.socket --pid-file=munge.pid \
    --log-file=munge.log --seed-file=munge.seed >munge.out.log 2>&1 &
await 20 "munged" munge -S munge.socket -n
slurmctld -D -c >ctld.out.log 2>&1 &
slurmd -D -N n1 >n1.out.log 2>&1 &
slurmd -D -N n2 >n2.out.log 2>&1 &
idle() { [ "$(sinfo -h -N -o '%t' | sort -u)" = idle ]; }
await 60 "two idle nodes" idle

# --- the scan: 256 hosts x 4 ports, in real time, so that there is a middle to be killed in
scan="198.18.0.0/24 -p 22,80,81,443 --state all --sim --pace -R 400 -o jsonl"
"$sonde" scan 198.18.0.0/24 -p 22,80,81,443 --state all --sim -o jsonl -w whole.jsonl 2>whole.err.log

cat >job.sh <<END
#!/bin/sh
n=\$SLURM_ARRAY_TASK_ID
cd $here
echo "task \$n, start \${SLURM_RESTART_COUNT:-0}, on \$SLURMD_NODENAME"
$sonde scan $scan -w out-\$n.jsonl --resume out-\$n.resume &
if [ "\$n" = 1 ] && [ "\${SLURM_RESTART_COUNT:-0}" = 0 ]; then
    until [ -s out-1.resume ] && [ \$(grep -c '"answer"' out-1.jsonl) -gt 20 ]; do sleep 0.1; done
    kill -KILL \$!
    cp out-1.jsonl killed.jsonl
    scontrol requeue "\$SLURM_JOB_ID"
    sleep 60  # until Slurm ends it
fi
wait \$!
END
job=$(sbatch --parsable --array=0-3 --requeue --open-mode=append -o 'log-%a' job.sh)
ended() { [ -z "$(squeue -h -j "$job" 2>/dev/null)" ]; }
await 150 "the end of all tasks" ended

# --- what came of it
results() { grep '"type":"answer"' "$@" | sed -E 's/.*"target":"([^"]*)".*"port":([0-9]+).*"state":"([^"]*)".*/\1 \2 \3/' | sort; }
for n in 0 1 2 3; do
    grep -q "task $n, start 0" log-$n || fail "task $n was not started"
done
grep -q "task 1, start 1" log-1 || fail "task 1 was not requeued"
[ "$(cat log-* | grep -c 'start 1')" = 1 ] || fail "another task was requeued"
[ "$(cat log-* | sed -nE 's/.* on (n[12])$/\1/p' | sort -u | wc -l)" = 2 ] || fail "only one node has run tasks"
killed=$(grep -c '"type":"answer"' killed.jsonl)
"$sonde" merge --expect 4 out-*.jsonl >all.jsonl 2>merge.err.log || fail "sonde merge: $(cat merge.err.log)"
results all.jsonl >all
results whole.jsonl >whole
[ "$(wc -l <whole)" = 1024 ] || fail "one run has $(wc -l <whole) results, not 1024"
cmp -s all whole || fail "the shards' results are not those of one run: $(diff all whole | head -5)"
[ "$killed" -lt "$(results out-1.jsonl | wc -l)" ] || fail "task 1 was not killed in the middle"
[ -z "$(cat out-*.jsonl | grep '"type":"answer"' | sed -E 's/.*"target":"([^"]*)".*"port":([0-9]+).*/\1 \2/' | sort | uniq -d)" ] ||
    fail "a result came twice"
echo "4 tasks on 2 nodes; task 1 killed after $killed results and requeued; merged: $(wc -l <all) results, as one run, none twice"

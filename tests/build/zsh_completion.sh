#!/bin/sh
# What zsh makes of `sonde completion zsh`, at a terminal: zsh_completion.sh SONDE. Status 77 where there is no zsh.
set -eu
command -v zsh >/dev/null || { echo "skipped: no zsh (Debian: zsh)"; exit 77; }
here=$(mktemp -d "${TMPDIR:-/tmp}/sonde-zsh-XXXXXX")
trap 'rm -rf "$here"' EXIT
mkdir "$here/bin" "$here/functions"
ln -s "$(realpath "$1")" "$here/bin/sonde"
"$1" completion zsh >"$here/functions/_sonde"
echo text >"$here/session.pcap"

cat >"$here/test.zsh" <<'END'
zmodload zsh/zpty
cd $1
failed=0

# start LOAD...: a fresh shell at a terminal of its own, which tells its command line when asked by ^X.
start() {
    zpty -b shell "PATH=$1/bin:$PATH HOME=$1 TERM=dumb zsh -f -i"
    zpty -w shell 'PROMPT= RPROMPT=; unsetopt zle_bracketed_paste prompt_cr prompt_sp; stty -echo'
    zpty -w shell 'tell() { print -r -- "LINE<$BUFFER>" }; zle -N tell; bindkey "^X" tell; bindkey "^U" kill-whole-line'
    zpty -w shell "cd $1; fpath=($3 \$fpath); autoload -Uz compinit && compinit -u -D; $2; print READY\$((1+1))"
    local out
    zpty -r shell out '*READY2*'
}
# expect TYPED LINE: what the line is after a tab.
expect() {
    local out
    zpty -w -n shell $'\025'"$1"$'\t\030'
    zpty -r shell out $'*LINE<*>*'
    out=${out##*LINE<} out=${out%%>*}
    if [[ $out != $2 ]]; then print -r -- "\"$1\" became \"$out\", not \"$2\""; failed=1; fi
}
check() {
    expect 'sonde trace' 'sonde traceroute '
    expect 'sonde mer' 'sonde merge '
    expect 'sonde scan --exclude-f' 'sonde scan --exclude-file '
    expect 'sonde replay --int' 'sonde replay --intf2 '
    expect 'sonde ping --iface l' 'sonde ping --iface lo '
    expect 'sonde replay session.pcap --intf2 l' 'sonde replay session.pcap --intf2 lo '
    expect 'sonde replay sess' 'sonde replay session.pcap '
    expect 'sonde man arp' 'sonde man arping '
    expect 'sonde completion z' 'sonde completion zsh '
    zpty -d shell
}
start $1 'source <(sonde completion zsh)' $1/none
check
start $1 '' $1/functions   # as an installed function, found by its first line
check
exit $failed
END
timeout --kill-after=5 60 zsh -f "$here/test.zsh" "$here"
echo "zsh completes commands, options, interfaces and files"

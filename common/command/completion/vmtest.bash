# SPDX-License-Identifier: LGPL-2.1-or-later
# The programs know what their command lines can be completed to.

_vmtest()
{
	local line=${COMP_LINE:0:COMP_POINT} word words prefix
	# Not bash's words: it would end one at an equals sign.
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	word=${words[-1]}
	case $word in
	*=*) prefix=${word%%=*}= ;;
	*) prefix= ;;
	esac
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		COMPREPLY+=("${word#"$prefix"}")
	done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -o default -F _vmtest vmtest-bot vmtest-kbuild vmtest-vm

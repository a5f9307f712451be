// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func completionCommand(world *console) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for a shell",
		ArgsUsage: "bash | zsh | fish",
		Description: `Examples:
  source <(chartsign completion bash)
  source <(chartsign completion zsh)
  chartsign completion fish | source`,
		BashComplete: func(*cli.Context) { fmt.Fprintln(world.stdout, "bash\nzsh\nfish") },
		Action:       func(c *cli.Context) error { return runCompletion(c, world) },
	}
}

// The scripts ask the program itself for what may come next.
const (
	bashScript = `_chartsign() {
  local words=("${COMP_WORDS[@]:0:COMP_CWORD}")
  case "${COMP_WORDS[COMP_CWORD]}" in -*) words+=("${COMP_WORDS[COMP_CWORD]}") ;; esac
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null | cut -d: -f1)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -o nospace -F _chartsign chartsign
`
	zshScript = `#compdef chartsign
_chartsign() {
  local -a options
  options=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 ${words[@]:0:#words[@]-1} ${(M)words[-1]:#-*} --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${options[1]}" ]]; then _describe 'chartsign' options; else _files; fi
}
compdef _chartsign chartsign
`
)

func runCompletion(c *cli.Context, world *console) error {
	if err := exactly(c, 1); err != nil {
		return err
	}
	var script string
	switch c.Args().First() {
	case "bash":
		script = bashScript
	case "zsh":
		script = zshScript
	case "fish":
		var err error
		if script, err = c.App.ToFishCompletion(); err != nil {
			return err
		}
	default:
		return usagef("no completion for the shell %q: want bash, zsh or fish", c.Args().First())
	}
	_, err := fmt.Fprint(world.stdout, script)
	return err
}

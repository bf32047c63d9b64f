// completion.mjs - the `completion` command: scripts for bash, zsh and fish from the tables of commands and options.
import { usage } from '../../node/errors.mjs';
import { shellQuote } from '../../node/names.mjs';
import { COMMANDS, OPTIONS, optionsOf } from '../arguments.mjs';
import { print } from '../stdio.mjs';

const commands = Object.keys(COMMANDS).filter((name) => name !== 'diagnose');

/** @param {string} command */
const optionWords = (command) =>
  optionsOf(command)
    .map(([name]) => `--${name}`)
    .join(' ');

/** The options with a value of one of these kinds, as a pattern of bash. @param {(value: string) => boolean} kind */
const optionsTaking = (kind) =>
  Object.entries(OPTIONS)
    .filter(([, { value }]) => value && kind(value))
    .map(([name]) => `--${name}`)
    .join('|');

/** @type {{ [shell: string]: () => string }} */
const SHELLS = {
  bash: () => `# pleura in bash: eval "$(pleura completion bash)"
_pleura() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$before" in
    ${optionsTaking((value) => value === 'FILE')}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    ${optionsTaking((value) => value === 'DIR')}) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    ${optionsTaking((value) => value !== 'FILE' && value !== 'DIR')}) return ;;
  esac
  local options=${shellQuote(optionWords('diagnose'))}
  case "\${COMP_WORDS[1]}" in
${commands.map((name) => `    ${name}) options=${shellQuote(optionWords(name))} ;;`).join('\n')}
  esac
  if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word"); return; fi
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
  if [[ $COMP_CWORD == 1 ]]; then mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W ${shellQuote(commands.join(' '))} -- "$word"); fi
  if [[ \${COMP_WORDS[1]} == completion ]]; then mapfile -t COMPREPLY < <(compgen -W ${shellQuote(shellNames())} -- "$word"); fi
}
complete -o filenames -F _pleura pleura`,

  zsh: () => `#compdef pleura
# pleura in zsh: pleura completion zsh > a folder of $fpath/_pleura
_pleura() {
  case "\${words[2]}" in
${commands.map((name) => `    ${name}) _arguments ${zshOptions(name)} ${name === 'completion' ? `'*:shell:(${shellNames()})'` : "'*:file:_files'"} ;;`).join('\n')}
    *) (( CURRENT == 2 )) && compadd ${commands.join(' ')}
      _arguments ${zshOptions('diagnose')} '*:film:_files' ;;
  esac
}
if [[ "$funcstack[1]" == _pleura ]]; then _pleura "$@"; else compdef _pleura pleura; fi`,

  fish: () => `# pleura in fish: pleura completion fish > ~/.config/fish/completions/pleura.fish
${commands.map((name) => `complete -c pleura -n __fish_use_subcommand -a ${name} -d ${shellQuote(COMMANDS[name].text)}`).join('\n')}
complete -c pleura -n '__fish_seen_subcommand_from completion' -f -a ${shellQuote(shellNames())}
${Object.entries(OPTIONS).map(fishOption).join('\n')}`,
};

const shellNames = () => Object.keys(SHELLS).join(' ');

/** @param {string} command */
const zshOptions = (command) =>
  optionsOf(command)
    .map(([name, { value, text }]) => {
      /** @type {{ [value: string]: string }} */
      const actions = { FILE: ':file:_files', DIR: ':folder:_files -/' };
      const action = value ? (actions[value] ?? `:${value}:`) : '';
      return shellQuote(`--${name}[${text.replace(/[[\]:]/g, '\\$&')}]${action}`);
    })
    .join(' ');

/** @param {[string, import('../arguments.mjs').Option]} option */
function fishOption([name, { of, value, text }]) {
  /** @type {{ [value: string]: string }} */
  const actions = { FILE: ' -r -F', DIR: " -x -a '(__fish_complete_directories)'" };
  const action = value ? (actions[value] ?? ' -x') : '';
  const where = of.includes('diagnose')
    ? `not __fish_seen_subcommand_from ${commands.filter((one) => !of.includes(one)).join(' ')}`
    : `__fish_seen_subcommand_from ${of.join(' ')}`;
  const condition = of.length === Object.keys(COMMANDS).length ? '' : `-n ${shellQuote(where)} `;
  return `complete -c pleura ${condition}-l ${name}${action} -d ${shellQuote(text)}`;
}

/** @param {string[]} paths the name of one shell @returns {Promise<void>} throws CommandError */
export async function completion([shell, ...more]) {
  if (more.length || !Object.hasOwn(SHELLS, shell ?? ''))
    throw usage("'completion' needs the name of one shell: bash, zsh or fish.");
  await print(SHELLS[shell]());
}

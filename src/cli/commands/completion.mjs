// The `completion` sub-command: scripts that complete the command in bash, zsh and fish, made from the table of options.
import { COMMANDS, OPTIONS } from '../arguments.mjs';
import { usage } from '../../node/errors.mjs';

const SHELLS = ['bash', 'zsh', 'fish'];
const commands = Object.keys(COMMANDS).filter((name) => name !== 'diagnose');
const optionsOf = (command) => Object.entries(OPTIONS).filter(([, { of }]) => of.includes(command));
const words = (command) =>
  optionsOf(command)
    .map(([name]) => `--${name}`)
    .join(' ');
const named = (value) =>
  Object.entries(OPTIONS)
    .filter(([, option]) => option.value === value)
    .map(([name]) => `--${name}`);
const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const bash = () => `# pleura in bash: eval "$(pleura completion bash)"
_pleura() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$before" in
    ${named('FILE').join('|')}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    ${named('DIR').join('|')}) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    ${[...named('N'), ...named('I/N'), ...named('NAME'), ...named('COLUMNS'), ...named('LIST')].join('|')}) return ;;
  esac
  local options=${quote(words('diagnose'))}
  case "\${COMP_WORDS[1]}" in
${commands.map((name) => `    ${name}) options=${quote(words(name))} ;;`).join('\n')}
  esac
  if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word"); return; fi
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
  if [[ $COMP_CWORD == 1 ]]; then mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W ${quote(commands.join(' '))} -- "$word"); fi
  if [[ \${COMP_WORDS[1]} == completion ]]; then mapfile -t COMPREPLY < <(compgen -W '${SHELLS.join(' ')}' -- "$word"); fi
}
complete -o filenames -F _pleura pleura`;

/** @param {[string, { value?: string, text: string }]} option */
const zshArgument = ([name, { value, text }]) => {
  const action = value === 'FILE' ? ':file:_files' : value === 'DIR' ? ':folder:_files -/' : value ? `:${value}:` : '';
  return quote(`--${name}[${text.replace(/[[\]:]/g, '\\$&')}]${action}`);
};

const zsh = () => `#compdef pleura
# pleura in zsh: pleura completion zsh > a folder of $fpath/_pleura
_pleura() {
  case "\${words[2]}" in
${commands.map((name) => `    ${name}) _arguments ${optionsOf(name).map(zshArgument).join(' ')} ${name === 'completion' ? `'*:shell:(${SHELLS.join(' ')})'` : "'*:file:_files'"} ;;`).join('\n')}
    *) (( CURRENT == 2 )) && compadd ${commands.join(' ')}
      _arguments ${optionsOf('diagnose').map(zshArgument).join(' ')} '*:film:_files' ;;
  esac
}
if [[ "$funcstack[1]" == _pleura ]]; then _pleura "$@"; else compdef _pleura pleura; fi`;

const fish = () => `# pleura in fish: pleura completion fish > ~/.config/fish/completions/pleura.fish
${commands.map((name) => `complete -c pleura -n __fish_use_subcommand -a ${name} -d ${quote(COMMANDS[name])}`).join('\n')}
complete -c pleura -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'
${Object.entries(OPTIONS)
  .map(([name, { of, value, text }]) => {
    const where = of.includes('diagnose')
      ? `not __fish_seen_subcommand_from ${commands.filter((one) => !of.includes(one)).join(' ')}`
      : `__fish_seen_subcommand_from ${of.join(' ')}`;
    const takes =
      value === 'FILE' ? ' -r -F' : value === 'DIR' ? " -x -a '(__fish_complete_directories)'" : value ? ' -x' : '';
    return `complete -c pleura ${of.length === Object.keys(COMMANDS).length ? '' : `-n ${quote(where)} `}-l ${name}${takes} -d ${quote(text)}`;
  })
  .join('\n')}`;

/** @param {string[]} paths the name of one shell @returns {string} */
export function completion([shell, ...more]) {
  if (more.length || !SHELLS.includes(shell)) throw usage("'completion' takes one of bash, zsh and fish.");
  return { bash, zsh, fish }[shell]();
}

// Help, manual page and shell completion: all of them know every option.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS, OPTIONS, optionsOf } from '../../src/cli/arguments.mjs';
import { helpOf } from '../../src/cli/help.mjs';
import { bash, cli, folder, pleura, root } from './command.mjs';

const page = join(root, 'src/cli/pleura.1');
const run = (program, args, options = {}) => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: folder, ...options });
  assert.equal(error, undefined);
  return { status, stdout, stderr };
};
/** How the manual page writes options that have a letter. @type {Record<string, string>} */
const SHORT = Object.fromEntries(
  Object.entries(OPTIONS)
    .filter(([, { short }]) => short)
    .map(([name, { short }]) => [name, `, -${short}`]),
);
const commands = Object.keys(COMMANDS).filter((name) => name !== 'diagnose');

test('every example of the help is understood', () => {
  const { status, stdout, stderr } = pleura(['--help']);
  assert.deepEqual([status, stderr, stdout], [0, '', `${helpOf('diagnose')}\n`]);
  for (const name of commands) assert.match(stdout, new RegExp(`^ +pleura ${name}\\b`, 'm'), name);
  const examples = Object.keys(COMMANDS)
    .map(helpOf)
    .join('\n')
    .match(/(?<=^ {2}|\| )pleura .*?(?=$| {2,}|>)/gm)
    .map((line) => line.trim());
  assert.ok(examples.length > 8);
  for (const line of examples.filter((one) => !one.startsWith('pleura convert'))) {
    assert.doesNotMatch(
      bash(line.replace(/^pleura/, '"$node" "$cli"'), { input: '' }).stderr,
      /See pleura .*--help/,
      line,
    );
  }
});

test('the help fits into 80 columns and lists every option once', () => {
  for (const command of Object.keys(COMMANDS)) {
    const help = helpOf(command);
    for (const line of help.split('\n')) assert.ok(line.length <= 80, line);
    for (const [name] of optionsOf(command))
      assert.equal(help.match(new RegExp(`^ {2}(-\\w, )?--${name}\\b`, 'gm'))?.length, 1, `${command} --${name}`);
    assert.doesNotMatch(help, /--overlay/, 'the old spelling of --adapter is accepted, but not shown');
  }
  for (const line of pleura(['convert', '--help']).stdout.split('\n')) assert.ok(line.length <= 80, line);
});

test('man, groff and mandoc accept the manual page, and it lists every option of the help', () => {
  const man = run('man', ['--warnings', '-E', 'UTF-8', '-l', page], {
    env: { ...process.env, MANWIDTH: '200', MAN_KEEP_FORMATTING: '' },
  });
  assert.deepEqual([man.status, man.stderr], [0, '']);
  assert.deepEqual(run('groff', ['-ww', '-man', '-Tutf8', '-z', page]), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(run('mandoc', ['-T', 'lint', '-W', 'warning', page]), { status: 0, stdout: '', stderr: '' });
  const text = man.stdout
    .replace(/.\u0008/g, '')
    .replace(/‐\n\s+/g, '')
    .replace(/\s+/g, ' ');
  for (const [name, { value }] of Object.entries(OPTIONS)) {
    assert.ok(text.includes(`--${name}${value ? ` ${value}` : (SHORT[name] ?? '')} `), name);
  }
  for (const name of commands) assert.ok(text.includes(`pleura ${name}`), name);
  const { version, man: listed, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(listed, './src/cli/pleura.1');
  assert.ok(files.includes('src/cli/pleura.1') && text.includes(`pleura ${version}`));
});

const shell = join(folder, 'shell');
mkdirSync(join(shell, 'inside'), { recursive: true });
writeFileSync(join(shell, 'inside/a film.png'), '');
writeFileSync(join(shell, 'results.jsonl'), '');
const env = { ...process.env, HOME: shell, node: process.execPath, cli };

test('bash completes commands, options, shells, files and folders', () => {
  const complete = (...words) => {
    const script = `source <("$node" "$cli" completion bash) || exit 9
      COMP_WORDS=(pleura "$@") COMP_CWORD=$#; _pleura; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = run('bash', ['-c', script, 'bash', ...words], { cwd: shell, env });
    assert.equal(stderr, '');
    return stdout.split('\n').filter(Boolean).sort();
  };
  assert.deepEqual(complete('--res'), ['--resume']);
  assert.deepEqual(
    complete('--'),
    Object.keys(OPTIONS)
      .filter((name) => OPTIONS[name].of.includes('diagnose'))
      .map((name) => `--${name}`)
      .sort(),
  );
  assert.deepEqual(complete('merge', '--'), ['--csv', '--help', '--version']);
  assert.deepEqual(complete('evaluate', '--la'), ['--labels']);
  assert.deepEqual(complete('m'), ['merge']);
  assert.deepEqual(complete('r'), ['results.jsonl']);
  assert.deepEqual(complete('--resume', ''), ['inside', 'results.jsonl']);
  assert.deepEqual(complete('--heatmap', ''), ['inside']);
  assert.deepEqual(complete('--jobs', ''), []);
  assert.deepEqual(complete('inside/a'), ['inside/a film.png']);
  assert.deepEqual(complete('completion', ''), ['bash', 'fish', 'zsh']);
  assert.match(bash('source <("$node" "$cli" completion bash); complete -p pleura').stdout, /-F _pleura pleura/);
});

test('fish completes options, commands and shells', () => {
  const complete = (line) =>
    run('fish', ['--no-config', '-c', `$node $cli completion fish | source; complete -C '${line}'`], {
      cwd: shell,
      env,
    })
      .stdout.replace(/\t.*/g, '')
      .split('\n')
      .filter(Boolean)
      .sort();
  assert.deepEqual(complete('pleura --re'), ['--resume']);
  assert.deepEqual(complete('pleura merge --'), ['--csv', '--help', '--version']);
  assert.deepEqual(complete('pleura evaluate --la'), ['--labels']);
  assert.deepEqual(complete('pleura eval'), ['evaluate']);
  assert.deepEqual(complete('pleura completion '), ['bash', 'fish', 'zsh']);
});

test('zsh completes options, commands and shells, typed into a terminal of its own', () => {
  const typist = `zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "autoload -Uz compinit && compinit -u -D; source <('$node' '$cli' completion zsh); print re''ady"
    zpty -r -m shell out '*ready*'
    zpty -n -w shell "$1"$'\\t'$'\\x01print -r -- "<\\x05>"\\n'
    zpty -r -m shell out $'*\\n<*>*'
    print -r -- "\${\${out##*$'\\n'<}%%>*}"`;
  const complete = (line) =>
    run('zsh', ['-fc', typist, 'zsh', line], { cwd: shell, env, timeout: 60000 }).stdout.trim();
  assert.equal(complete('pleura --resu'), 'pleura --resume');
  assert.equal(complete('pleura mer'), 'pleura merge');
  assert.equal(complete('pleura merge --cs'), 'pleura merge --csv');
  assert.equal(complete('pleura completion f'), 'pleura completion fish');
  assert.equal(complete('pleura resu'), 'pleura results.jsonl');
});

test('an unknown shell is a usage error', () => {
  for (const args of [[], ['tcsh'], ['bash', 'zsh'], ['toString']])
    assert.equal(pleura(['completion', ...args]).status, 2);
});

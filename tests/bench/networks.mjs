// The networks of the benchmark, in the graph lines of src/nn/graph.h.

// Windows of stride 2 have TensorFlow's SAME padding, which no runtime needs an extra layer for.
const halved = (k) => `k=${k} stride=2 pad=${(k - 2) >> 1} after=${(k - 1) >> 1}`;

function vggs() {
  const lines = ['image = input h=224 w=224 c=1'];
  let last = 'image';
  for (const channels of [16, 32, 64, 128]) {
    lines.push(
      `conv${channels} = conv ${last} k=3 pad=1 c=${channels} act=relu`,
      `pool${channels} = maxpool conv${channels} k=2 stride=2`,
    );
    last = `pool${channels}`;
  }
  return [
    ...lines,
    `features = conv ${last} k=3 pad=1 c=128 act=relu`,
    'pool = mean features',
    'logits = dense pool c=3',
  ];
}

/** Sandler et al., 2018, width 1. */
function mobilenetv2() {
  const stages = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ];
  const lines = ['image = input h=224 w=224 c=3', `stem = conv image ${halved(3)} c=32 act=relu6`];
  let last = 'stem',
    cin = 32,
    number = 0;
  for (const [expansion, channels, blocks, firstStride] of stages) {
    for (let b = 0; b < blocks; b++, number++) {
      const stride = b ? 1 : firstStride,
        block = `block${number}`;
      let wide = last;
      if (expansion > 1) lines.push(`${(wide = `${block}.expand`)} = conv ${last} k=1 c=${cin * expansion} act=relu6`);
      lines.push(`${block}.depth = depthwise ${wide} ${stride === 2 ? halved(3) : 'k=3 pad=1'} act=relu6`);
      lines.push(`${block}.narrow = conv ${block}.depth k=1 c=${channels}`);
      const adds = stride === 1 && cin === channels;
      if (adds) lines.push(`${block} = add ${block}.narrow ${last}`);
      last = adds ? block : `${block}.narrow`;
      cin = channels;
    }
  }
  return [...lines, `features = conv ${last} k=1 c=1280 act=relu6`, 'pool = mean features', 'logits = dense pool c=3'];
}

/** He et al., 2015. */
function resnet18() {
  const lines = [
    'image = input h=224 w=224 c=3',
    `stem = conv image ${halved(7)} c=64 act=relu`,
    `stem.pool = maxpool stem ${halved(3)}`,
  ];
  let last = 'stem.pool';
  for (const channels of [64, 128, 256, 512]) {
    for (const part of 'ab') {
      const block = `block${channels}${part}`,
        smaller = part === 'a' && channels > 64;
      lines.push(`${block}.first = conv ${last} ${smaller ? halved(3) : 'k=3 pad=1'} c=${channels} act=relu`);
      lines.push(`${block}.second = conv ${block}.first k=3 pad=1 c=${channels}`);
      if (smaller) lines.push(`${block}.short = conv ${last} k=1 stride=2 c=${channels}`);
      lines.push(`${block} = add ${block}.second ${smaller ? `${block}.short` : last} act=relu`);
      last = block;
    }
  }
  return [...lines, `pool = mean ${last}`, 'logits = dense pool c=3'];
}

/**
 * The shipped graphs, in float32, without their gates and the pose. The lungs graph gets logits over its whole mask, because engine.run() returns
 * logits and these change with every pixel that differs.
 */
function shipped({ lungs, diagnosis }) {
  const core = (lines) => lines.filter((line) => !/^(gate|pose)/.test(line));
  return { 'pleura.lungs': [...core(lungs), 'logits = dense mask c=4'], 'pleura.diagnosis': core(diagnosis) };
}

/** The well-known networks. @returns {Record<string, string[]>} lines by network */
export const common = () => ({ vggs: vggs(), mobilenetv2: mobilenetv2(), resnet18: resnet18() });

/**
 * @param {{lungs: string[], diagnosis: string[]}} graphs  of the shipped model
 * @returns {Record<string, string[]>} lines by network
 */
export const networks = (graphs) => ({ ...common(), ...shipped(graphs) });

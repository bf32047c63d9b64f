// A server of Next in standalone output. Next copies what it sees imported; the includes are what Pleura reads.
export default {
  output: 'standalone',
  pageExtensions: ['mjs'],
  serverExternalPackages: ['pleura'],
  outputFileTracingRoot: import.meta.dirname,
  outputFileTracingIncludes: {
    '/diagnose': [
      './node_modules/pleura/{build,model,src}/**',
      './node_modules/@cornerstonejs/codec-*/dist/*_decode.wasm',
    ],
  },
};

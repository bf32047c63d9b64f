// A module that ships without types.
declare module 'picomatch' {
  function picomatch(pattern: string, options?: object): (path: string) => boolean;
  namespace picomatch {
    function scan(pattern: string, options?: object): { base: string; glob: string; prefix: string };
  }
  export default picomatch;
}

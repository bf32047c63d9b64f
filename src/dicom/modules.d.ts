// Modules that ship without types.
declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  export default function create(options: object): Promise<any>;
}
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  export default function create(options: object): Promise<any>;
}

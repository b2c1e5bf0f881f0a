// numpy's file format, as far as the stored cutouts use it: version 1 or 2, little-endian float32, rows first.

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Return shape and values; throws an Error with a sentence for what is no such file.
 * @param {ArrayBuffer} buffer
 */
export function readNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length < 12 || MAGIC.some((byte, k) => bytes[k] !== byte)) throw new Error("This is not a numpy file.");
  const view = new DataView(buffer);
  const isShort = bytes[6] === 1;
  const start = isShort ? 10 : 12;
  const end = start + (isShort ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, end));
  const shape = header.match(/'shape': \(([\d, ]*)\)/)?.[1].split(",").filter((part) => part.trim()).map(Number);
  if (!/'descr': '<f4'/.test(header) || !/'fortran_order': False/.test(header) || !shape) {
    throw new Error("The values are not 32-bit floats, row by row.");
  }
  const count = shape.reduce((product, length) => product * length, 1);
  if (buffer.byteLength < end + 4 * count) throw new Error("The file is truncated.");
  // A copy: the values need not begin at a multiple of four bytes.
  return { shape, values: new Float32Array(buffer.slice(end, end + 4 * count)) };
}

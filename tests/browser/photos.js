/** Photos for the tests, drawn on the spot: PNG files, and a zip of class folders. */
import { crc32, deflateSync } from 'node:zlib';

/** Petal colour, petals, and size of the heart, so that a network tells the classes apart quickly. */
const FLOWERS = {
  daisy: { colour: [245, 245, 250], petals: 12, heart: 0.3 },
  dandelion: { colour: [250, 210, 30], petals: 24, heart: 0.15 },
  rose: { colour: [200, 30, 60], petals: 5, heart: 0.1 },
  sunflower: { colour: [240, 150, 20], petals: 16, heart: 0.55 },
  tulip: { colour: [150, 60, 190], petals: 3, heart: 0.05 },
};

export const CLASSES = Object.keys(FLOWERS);

/** A repeatable stream of numbers from 0 to 1. @param {number} seed */
function random(seed) {
  let state = seed * 2654435761 + 12345;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/**
 * One flower as a PNG file.
 * @param {string} name
 * @param {number} seed
 * @param {number} [size]
 */
export function flower(name, seed, size = 64) {
  const { colour, petals, heart } = FLOWERS[/** @type {keyof typeof FLOWERS} */ (name)];
  const next = random(seed + 1);
  const [turn, radius, x0, y0] = [
    next() * 7,
    size * (0.32 + 0.12 * next()),
    size * (0.42 + 0.16 * next()),
    size * (0.42 + 0.16 * next()),
  ];
  const ground = [40 + 60 * next(), 90 + 60 * next(), 30 + 50 * next()];
  return png(size, (x, y) => {
    const [distance, angle] = [Math.hypot(x - x0, y - y0) / radius, Math.atan2(y - y0, x - x0)];
    const reach = 0.7 + 0.3 * Math.cos(petals * angle + turn);
    const pixel = distance < heart ? [120, 80, 20] : distance < reach ? colour : ground;
    return pixel.map(value => value + 24 * (next() - 0.5));
  });
}

/** A house under a blue sky as a PNG file: no flower. @param {number} [size] */
export function house(size = 200) {
  return png(size, (column, row) => {
    const [x, y] = [column / size, row / size];
    if (Math.abs(x - 0.5) < 0.06 && y > 0.6 && y < 0.78) return [90, 60, 40];
    if (Math.abs(Math.abs(x - 0.5) - 0.17) < 0.05 && Math.abs(y - 0.56) < 0.05) return [220, 240, 255];
    if (Math.abs(x - 0.5) < 0.28 && y > 0.43 && y < 0.78) return [200, 180, 150];
    if (y < 0.43 && Math.abs(x - 0.5) < (y - 0.18) * 1.35) return [150, 60, 40];
    return y < 0.7 ? [120, 170, 230] : [90, 90, 95];
  });
}

/**
 * A square PNG file.
 * @param {number} size
 * @param {(x: number, y: number) => number[]} pixel red, green and blue
 */
function png(size, pixel) {
  const rows = Buffer.alloc(size * (1 + 3 * size));
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      pixel(x, y).forEach((value, channel) => {
        rows[y * (1 + 3 * size) + 1 + 3 * x + channel] = Math.max(0, Math.min(255, value));
      });
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** `count` flowers of every class, by path. @param {number} count @returns {[string, Buffer][]} */
export function garden(count) {
  return CLASSES.flatMap((name, kind) =>
    Array.from(
      { length: count },
      (_, index) =>
        /** @type {[string, Buffer]} */ ([`garden/${name}/${index}.png`, flower(name, 1000 * kind + index)]),
    ),
  );
}

/** A zip archive, stored without compression. @param {[string, Buffer][]} files */
export function zip(files) {
  /** @type {Buffer[]} */
  const bodies = [];
  /** @type {Buffer[]} */
  const directory = [];
  let offset = 0;
  for (const [path, content] of files) {
    const name = Buffer.from(path);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, name, content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, tail, name]));
    bodies.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, list, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

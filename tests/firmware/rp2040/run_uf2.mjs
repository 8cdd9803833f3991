// Runs a UF2 file as an RP2040 does: node run_uf2.mjs FILE
// Standard input and output are UART0. When standard input ends, one line of JSON on standard error tells what the
// firmware has set up. The boot ROM's part is done here: check the CRC of the first 256 bytes of flash, copy them to
// the end of RAM, jump there.
import { readFileSync, writeSync } from "node:fs";
import { ConsoleLogger, LogLevel, RP2040, Simulator } from "rp2040js";

const FLASH = 0x10000000, RP2040_FAMILY = 0xe48bff56, BOOT2_AT = 0x20041f00, BYTES_OF_BOOT2 = 252;

function load(mcu, file) {
  const count = file.readUInt32LE(24);
  if (file.length !== 512 * count) throw new Error(`${file.length} bytes for ${count} blocks`);
  for (let block = 0; block < count; block++) {
    const at = 512 * block;
    const word = (index) => file.readUInt32LE(at + 4 * index);
    if (word(0) !== 0x0a324655 || word(1) !== 0x9e5d5157 || file.readUInt32LE(at + 508) !== 0x0ab16f30)
      throw new Error(`block ${block} is no UF2 block`);
    if (word(2) !== 0x2000 || word(7) !== RP2040_FAMILY) throw new Error(`block ${block} is for another family`);
    if (word(4) !== 256 || word(3) % 256 !== 0 || word(5) !== block) throw new Error(`block ${block} is out of order`);
    mcu.flash.set(file.subarray(at + 32, at + 32 + 256), word(3) - FLASH);
  }
}

function crcOfBootRom(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

const simulator = new Simulator();
const mcu = simulator.rp2040;
mcu.logger = new ConsoleLogger(LogLevel.Error, true);
load(mcu, readFileSync(process.argv[2]));
const boot2 = mcu.flash.slice(0, 256);
const told = Buffer.from(boot2).readUInt32LE(BYTES_OF_BOOT2);
if (told !== crcOfBootRom(boot2.subarray(0, BYTES_OF_BOOT2)))
  throw new Error(`boot2 has CRC ${crcOfBootRom(boot2.subarray(0, BYTES_OF_BOOT2)).toString(16)}, it says ${told.toString(16)}`);
mcu.sram.set(boot2, BOOT2_AT - 0x20000000);
mcu.core.PC = BOOT2_AT;

// A write to SysTick's value starts a round; the emulator, unlike a core, takes it for the end of one.
const SYSTICK_VALUE = 0x18, writeSystem = mcu.ppb.writeUint32.bind(mcu.ppb);
mcu.ppb.writeUint32 = (offset, value) => {
  if (offset === SYSTICK_VALUE) mcu.ppb.systickTimer.set(mcu.ppb.systickReload);
  else writeSystem(offset, value);
};

const uart = mcu.uart[0];
const waiting = [];
const said = [];
uart.onByte = (byte) => said.push(byte);
process.stdin.on("data", (content) => waiting.push(...content));
let ended = false;
process.stdin.on("end", () => (ended = true));

function run() {
  for (let i = 0; i < 200000; i++) {
    if (waiting.length > 0 && uart.rxFIFO.empty) uart.feedByte(waiting.shift());
    simulator.clock.tick(mcu.core.executeInstruction() * (1e9 / mcu.clkSys));
  }
  if (said.length > 0) writeSync(1, Buffer.from(said.splice(0)));
  if (!ended) return setImmediate(run);
  const functions = [0, 1].map((pin) => mcu.readUint32(0x40014004 + 8 * pin) & 0x1f);
  console.error(JSON.stringify({ hertz: mcu.clkSys, baud: uart.baudRate, functions, cycles: mcu.core.cycles }));
}
run();

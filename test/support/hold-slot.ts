// A program that locks a slot until it is killed: `hold-slot.ts FOLDER`.
import { takeSlot } from "../../src/storage/slot-lock.ts";

const slot = await takeSlot(process.argv[2] as string);
process.stdout.write(`${slot.folder}\n`);
setInterval(() => slot.folder, 60_000);

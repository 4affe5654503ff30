// Fills its heap until there is no more; argv: `almost` stops before that.
const held = [];
const most = process.argv[2] === 'almost' ? 40 : Infinity;
for (let megabytes = 0; megabytes < most; megabytes += 1) {
  held.push(Array.from({ length: 131_072 }, () => megabytes)); // 8 bytes each
  await new Promise((resolve) => setTimeout(resolve, 2));
}
console.log(`holds ${held.length}`);

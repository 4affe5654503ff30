// CommonJS, with a comment before what is counted.
function helper(x) {
  return x + 1;
}
exports.helperCalls = function helperCalls(times) {
  let sum = 0;
  for (let at = 0; at < times; at += 1) sum += helper(at);
  return sum;
};

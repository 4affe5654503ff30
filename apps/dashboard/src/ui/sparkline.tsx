/** A line without axes: the shape only. The figure stands beside it. */
export function Sparkline({
  values,
  label,
  width = 120,
  height = 20,
}: {
  values: readonly number[];
  label: string;
  width?: number;
  height?: number;
}) {
  const highest = Math.max(...values, 1e-9);
  const points = values.map(
    (value, index) =>
      `${((index / Math.max(1, values.length - 1)) * (width - 2) + 1).toFixed(1)},${(height - 1 - (value / highest) * (height - 3)).toFixed(1)}`,
  );
  return (
    <svg width={width} height={height} role="img" aria-label={label} style={{ display: 'block' }}>
      {points.length > 1 && (
        <>
          <polygon points={`1,${height} ${points.join(' ')} ${width - 1},${height}`} fill="var(--hovered)" />
          <polyline points={points.join(' ')} fill="none" stroke="var(--dim)" strokeWidth="1.25" />
        </>
      )}
    </svg>
  );
}

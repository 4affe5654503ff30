import tables from './table.module.css';

/** A column title that sorts by its column. */
export function SortHeader<Column extends string>({
  column,
  sort,
  onSort,
  children,
}: {
  column: Column;
  sort: Column;
  onSort: (column: Column) => void;
  children: string;
}) {
  const sorted = column === sort;
  return (
    <button type="button" className={tables['sort']} data-sorted={sorted} onClick={() => onSort(column)}>
      {children}
      <span aria-hidden="true">{sorted ? ' ↓' : ''}</span>
    </button>
  );
}

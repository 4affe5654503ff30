export { encodeExemplarBody } from './exemplar-body.js';
export { ExemplarRepository, nameHash } from './exemplar.repository.js';
export type { Exemplar, ExemplarKey, ReadExemplarHead } from './exemplar.repository.js';
export { Exemplars } from './exemplars.js';
export { PinnedTransactions } from './pinned-transactions.repository.js';
export { TransactionWindowRepository } from './transaction-window.repository.js';
export type { TransactionWindow } from './transaction-window.repository.js';
export { TransactionWindows } from './transaction-windows.js';
export { TransactionsModule } from './transactions.module.js';

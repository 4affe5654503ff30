import { Module } from '@nestjs/common';
import { ExemplarRepository } from './exemplar.repository.js';
import { Exemplars } from './exemplars.js';
import { PinnedTransactions } from './pinned-transactions.repository.js';
import { TransactionWindowRepository } from './transaction-window.repository.js';
import { TransactionWindows } from './transaction-windows.js';

@Module({
  providers: [ExemplarRepository, Exemplars, PinnedTransactions, TransactionWindowRepository, TransactionWindows],
  exports: [Exemplars, PinnedTransactions, TransactionWindows],
})
export class TransactionsModule {}

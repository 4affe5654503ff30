import { Module } from '@nestjs/common';
import { PinnedTransactions } from './pinned-transactions.repository.js';
import { TransactionWindowRepository } from './transaction-window.repository.js';
import { TransactionWindows } from './transaction-windows.js';

@Module({
  providers: [PinnedTransactions, TransactionWindowRepository, TransactionWindows],
  exports: [PinnedTransactions, TransactionWindows],
})
export class TransactionsModule {}

import { Module } from '@nestjs/common';
import { TransactionWindowRepository } from './transaction-window.repository.js';
import { TransactionWindows } from './transaction-windows.js';

@Module({ providers: [TransactionWindowRepository, TransactionWindows], exports: [TransactionWindows] })
export class TransactionsModule {}

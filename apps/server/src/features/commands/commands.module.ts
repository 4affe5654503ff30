import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/index.js';
import { AgentCommandEntity } from './agent-command.entity.js';
import { AgentCommands } from './agent-commands.repository.js';
import { CommandDesk } from './command-desk.js';
import { CommandsController } from './commands.controller.js';

@Module({
  imports: [CatalogModule, TypeOrmModule.forFeature([AgentCommandEntity])],
  controllers: [CommandsController],
  providers: [AgentCommands, CommandDesk],
  exports: [AgentCommands],
})
export class CommandsModule {}

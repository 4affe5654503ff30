export { AgentCommands } from './agent-commands.repository.js';
export { CommandsModule } from './commands.module.js';

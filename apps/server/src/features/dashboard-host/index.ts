export { DashboardHostModule } from './dashboard-host.module.js';

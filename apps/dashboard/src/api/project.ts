import { createContext, useContext } from 'react';

/** Id of the project whose data the pages show; every request names it. */
export const ProjectContext = createContext('');

export function useProject(): string {
  return useContext(ProjectContext);
}

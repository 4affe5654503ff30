/** A place in a script. */
export interface GeneratedLocation {
  file: string;
  name?: string;
  /** From 0. */
  line: number;
  /** From 0. */
  column: number;
}

/** A place in a source, as far as it is known. */
export interface SourceLocation {
  file?: string;
  name?: string;
  line?: number;
  column?: number;
}

/** Stands where `@pyroscope/nodejs` has one, and reads no map: maps take memory and time of the process that is profiled. */
export class SourceMapper {
  /** Always empty. */
  readonly infoMap = new Map<string, unknown>();
  debug: boolean;

  static async create(_searchDirs: string[], debug = false): Promise<SourceMapper> {
    return new SourceMapper(debug);
  }

  constructor(debug = false) {
    this.debug = debug;
  }

  /** No script has a map here. */
  hasMappingInfo(_inputPath: string): boolean {
    return false;
  }

  /** The place itself. */
  mappingInfo(location: GeneratedLocation): SourceLocation {
    return location;
  }
}

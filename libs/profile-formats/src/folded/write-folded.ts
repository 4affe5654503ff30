import type { FunctionKey, Profile } from '@hearth/profile-model';
import { NO_PARENT, functionsRootFirst, scriptNameOf } from '@hearth/profile-model';

/**
 * Folded stacks: `main (src/shop.ts);parse (node_modules/json/p.js) 5`, a line for each stack, sorted; of a sample without frames only the
 * count. Labels are added up. A function without a file is its name alone. Rows that add up to 0 or less are left out, because the format cannot say them.
 */
export function profileToFolded(profile: Profile): string {
  const frame = Array.from({ length: profile.functions.length }, (_, row) =>
    frameText({
      name: profile.functions.name[row]!,
      package: profile.functions.package[row]!,
      file: profile.functions.file[row]!,
    }),
  );
  const valueOf = new Map<string, number>();
  profile.sampleStack.forEach((stack, row) => {
    const path =
      stack === NO_PARENT
        ? ''
        : functionsRootFirst(profile.stacks, stack)
            .map((functionRow) => frame[functionRow]!)
            .join(';');
    valueOf.set(path, (valueOf.get(path) ?? 0) + profile.sampleValue[row]!);
  });
  return [...valueOf]
    .filter(([, value]) => value > 0)
    .map(([path, value]) => `${/^\s*(#|\/\/)/.test(path) ? ';' : ''}${path} ${value}\n`) // an empty frame: it must not pass for a comment
    .sort()
    .join('');
}

/** Semicolons and line breaks have a meaning here, and would be read back as other frames. */
function frameText(key: FunctionKey): string {
  const script = scriptNameOf(key);
  const text = script === '' ? key.name : `${key.name} (${script})`;
  return text.replaceAll(';', ':').replace(/[\r\n]+/g, ' ');
}

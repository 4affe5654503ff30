export const HELP = `hearth: Hearth from the command line

  hearth source-maps upload <folder>   send the source maps of a build to the server
  hearth source-maps upload --help     its options
  hearth --version

Where the server is, and a key of it, come from HEARTH_URL and HEARTH_KEY.
`;

export const UPLOAD_HELP = `hearth source-maps upload <folder> [options]

Sends the source maps of a build, so that profiles of what is built are shown by the names, files and lines of its sources.
Run it where you build, before the release starts: what arrived before its map stays as it came.

Maps are found by the comment //# sourceMappingURL= at the end of each .js, .mjs and .cjs file below <folder> (a file or inline),
else beside it as <file>.map. node_modules is left out.

  --service NAME       default: HEARTH_SERVICE, else the name in the nearest package.json above <folder>
  --revision SHA       the one its processes will send. Default as the agent finds it: HEARTH_REVISION and the variables of
                       build systems, a file REVISION, .git, package.json
  --root FOLDER        what the paths of files are relative to. Default: the repository, else the folder of the package.json
  --url URL            default: HEARTH_URL, else http://127.0.0.1:4040
  --key KEY            an ingest key of the project. Default: HEARTH_KEY
  --without-sources    do not send sourcesContent. The server reads names of functions from it and keeps none of it; without it
                       some builds' functions stay (anonymous)
  --dry-run            show what would be sent, and send nothing
  --json               one JSON object instead of text

Exit code: 0 all maps are there; 1 some could not be sent; 2 called wrongly; 3 no source maps found.
`;

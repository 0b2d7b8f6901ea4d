/**
 * Remedies that name functions of the library, and what does the same on the command line. `$1` is what stands for the
 * name in the message.
 */
export const REMEDIES: readonly (readonly [remedy: RegExp, command: string])[] = [
  [/List them with searchRuns/, "'cli.ts runs list --view all' lists them"],
  [/List them with searchExperiments/, "'cli.ts experiments list --view all' lists them"],
  [/List them with searchLoggedModels/, "'cli.ts models list --experiment NAME' lists them"],
  [/List them with searchTraces/, "'cli.ts traces list' lists them"],
  [/List them with searchRegisteredModels/, "'cli.ts models list' lists them"],
  [/Register one by registerModel\(\)/, "'cli.ts register MODEL_URI NAME' registers one"],
  [/Save it by saveModel\(\), or log it by logModel\(\)/, "'cli.ts log FILE --name NAME' logs it"],
  [/Name a folder that saveModel\(\) or logModel\(\) wrote/, "Name the folder of a logged model"],
  [/; getModelInfo\(\) reads what is known of it/, "; 'cli.ts models show URI' tells what is known of it"],
  [/name the tracking URI in the program/, "give --tracking-uri URI"],
  [/call setExperiment\(\)/, "give --experiment NAME"],
  [/Choose by setExperiment\(\{ experimentId: "(\d+)" \}\)/, 'Unset MLFLOW_RUN_ID, or choose experiment "$1"'],
  [/Restore it by getTrackingStore\(\)\.restoreRun\("(\w+)"\)/, "Restore it by 'mlflow runs restore --run-id $1'"],
  [/Restore it by getTrackingStore\(\)\.restoreExperiment\("\d+"\) or /, "Restore it by "],
  [/name (it|what it needs) in codePaths/, "name $1 with --code-path"],
];

/** What the library says, in the words of who has a command line before them. */
export function inCommands(message: string): string {
  return REMEDIES.reduce((text, [remedy, command]) => text.replaceAll(new RegExp(remedy, "g"), command), message);
}

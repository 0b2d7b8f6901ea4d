/** Counts checks, and tells each as it ends. */
export class Report {
  passed = 0;
  readonly failures: string[] = [];

  /** Takes note of one check. */
  note(name: string, failure?: string): void {
    if (failure === undefined) this.passed++;
    else this.failures.push(name);
    // deno-lint-ignore no-console -- a command talks to its user
    console.log(failure === undefined ? `ok      ${name}` : `FAILED  ${name}: ${failure}`);
  }

  /** Does a check. */
  async check<T>(name: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await action();
      this.note(name);
      return result;
    } catch (error) {
      this.note(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Takes note of what a script of `checks.py` told. That it did not come to its end is a failure, too. */
  script(where: string, stdout: string, stderr: string): void {
    let count = 0;
    let announced: number | undefined;
    for (const line of stdout.split("\n")) {
      const [, failed, name = "", reason] = /^(not )?ok (.*?)(?:: (.*))?$/.exec(line) ?? [];
      const [, done] = /^done (\d+)$/.exec(line) ?? [];
      if (done !== undefined) announced = Number(done);
      if (!/^(not )?ok /.test(line)) continue;
      count++;
      // Names hold colons themselves: a reason is only behind those that failed.
      this.note(
        `${where}: ${failed === undefined ? line.slice("ok ".length) : name}`,
        failed === undefined ? undefined : reason ?? "no reason told",
      );
    }
    if (announced !== count) {
      this.note(`${where}: runs to its end`, `${count} checks of ${announced}: ${stderr.slice(-1500)}`);
    }
  }

  /** Takes note of what `deno test` told in the end. */
  suite(where: string, stdout: string): void {
    const [, passed, failed] = /^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed/m.exec(stdout) ?? [];
    if (passed === undefined || failed === undefined) return this.note(where, stdout.slice(-1500));
    this.passed += Number(passed);
    const failures = [...stdout.matchAll(/^(.*) \.\.\. FAILED/gm)].map(([, name = ""]) => name.trim());
    this.failures.push(...Array.from({ length: Number(failed) }, (_, i) => `${where}: ${failures[i] ?? "?"}`));
    // deno-lint-ignore no-console -- a command talks to its user
    console.log(
      `${Number(failed) === 0 ? "ok     " : "FAILED "} ${where}: ${passed} passed, ${failed} failed ${
        failures.join("; ")
      }`,
    );
  }
}

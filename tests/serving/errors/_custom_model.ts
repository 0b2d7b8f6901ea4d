/** A file that gives a custom model. */
import { CustomModel } from "../../../mod.ts";

/** Answers what is no conversation. */
export default class Doubler extends CustomModel {
  override predict(): string {
    return "twice";
  }
}

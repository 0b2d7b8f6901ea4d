import { assert, assertEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { ChatModel, ChatModelError, CustomModel, OverloadedError } from "../../mod.ts";
import { findOperations } from "./openapi/_operations.ts";
import { exchange, frames } from "./openapi/_checked.ts";
import { document, object } from "./openapi/_document.ts";
import { generated } from "../../serving/openapi/generate.ts";
import { testApp } from "./_app.ts";

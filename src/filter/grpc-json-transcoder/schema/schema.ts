import { EnumPlan, MessagePlan, type Plans } from './message-plan.ts';
import type { EnumData, MessageData, SchemaData } from './schema-data.ts';

/** The messages and enums of a descriptor set; a plan is made when it is first asked for. */
export class Schema implements Plans {
  private readonly messages: ReadonlyMap<string, MessageData>;
  private readonly enums: ReadonlyMap<string, EnumData>;
  private readonly messagePlans: Map<string, MessagePlan>;
  private readonly enumPlans: Map<string, EnumPlan>;

  constructor(data: SchemaData) {
    this.messages = new Map(data.messages.map((message) => [message.typeName, message]));
    this.enums = new Map(data.enums.map((enumeration) => [enumeration.typeName, enumeration]));
    this.messagePlans = new Map();
    this.enumPlans = new Map();
  }

  message(typeName: string): MessagePlan | undefined {
    let plan = this.messagePlans.get(typeName);
    const data = plan === undefined ? this.messages.get(typeName) : undefined;
    if (data !== undefined) this.messagePlans.set(typeName, (plan = new MessagePlan(data, this)));
    return plan;
  }

  enumeration(typeName: string): EnumPlan | undefined {
    let plan = this.enumPlans.get(typeName);
    const data = plan === undefined ? this.enums.get(typeName) : undefined;
    if (data !== undefined) this.enumPlans.set(typeName, (plan = new EnumPlan(data)));
    return plan;
  }
}

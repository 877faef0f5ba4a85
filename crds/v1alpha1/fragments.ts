// Pieces that several kinds share.
import type { Static } from 'typebox';
import {
  integer,
  list,
  listMap,
  object,
  optional,
  stringEnum,
  stringMap,
  text,
  timestamp,
} from '#crds/schema/builders.ts';
import type { Form } from '#crds/schema/form.ts';

export const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const DNS_LABEL_FORM: Form = {
  pattern: DNS_LABEL,
  message: 'must be lower-case letters, digits and dashes, with a letter or digit at both ends, for example web-1',
};
const SUBDOMAIN_FORM: Form = {
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  message:
    'must be lower-case letters, digits, dashes and dots, with a letter or digit at both ends, for example kvm1.example.org',
};
const LABEL_NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const LABEL_KEY_FORM: Form = {
  pattern: `^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?${LABEL_NAME}$`,
  message:
    'must be the key of a label: letters, digits, dashes, underscores and dots, with a letter or digit at both ends, for example disk or example.org/disk',
};
const LABEL_VALUE_FORM: Form = {
  pattern: `^(${LABEL_NAME})?$`,
  message:
    'must be the value of a label: letters, digits, dashes, underscores and dots, with a letter or digit at both ends, for example ssd',
};

/** Reasons are CamelCase, as in every Kubernetes condition. */
const REASON = '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$';

/** A name within something else, such as a disk of a VM. */
export function dnsLabel(description: string) {
  return text(description, { maxLength: 63, form: DNS_LABEL_FORM });
}

/** A name of a node, a pool or a network: a DNS subdomain is the widest form any of them takes. */
export function subdomain(description: string, { maxLength = 253 } = {}) {
  return text(description, { maxLength, form: SUBDOMAIN_FORM });
}

const conditionSchema = object('One aspect of the observed state, in the form of metav1.Condition.', {
  type: text('What is stated, for example Ready.', { maxLength: 64, minLength: 1, pattern: '^[A-Za-z]+$' }),
  status: stringEnum('Whether the statement holds.', ['True', 'False', 'Unknown']),
  observedGeneration: optional(
    integer('The metadata.generation this was decided for.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  ),
  lastTransitionTime: timestamp('When `status` last changed.'),
  reason: text('Why, as one CamelCase word for programs.', { maxLength: 64, minLength: 1, pattern: REASON }),
  message: text('Why, in a sentence for people.', { maxLength: 2048 }),
});
export interface Condition extends Static<typeof conditionSchema> {}

/** The conditions of one object, told apart by type. */
export function conditions(description: string) {
  return listMap(description, 'type', conditionSchema, { maxItems: 16 });
}

const AVERAGE_MAX = Number.MAX_SAFE_INTEGER;
function averages(description: string) {
  const window = (name: string) => integer(`Average over ${name}.`, { minimum: 0, maximum: AVERAGE_MAX });
  return object(description, {
    oneMinute: window('the last minute'),
    fiveMinutes: window('the last five minutes'),
    fifteenMinutes: window('the last fifteen minutes'),
  });
}

export const usageSchema = object(
  'Averages over 1, 5 and 15 minutes. Values are rounded, and written only when they have moved by more than noise.',
  {
    time: timestamp('When these averages were taken.'),
    cpu: averages('Processor time in thousandths of one CPU: 1000 is one CPU fully busy.'),
    cpuPercent: optional(averages('The same in percent of all its CPUs: 100 is all of them fully busy.')),
    memory: averages('Memory in use, in bytes.'),
    networkReceive: averages('Bytes received per second, over all interfaces.'),
    networkTransmit: averages('Bytes sent per second, over all interfaces.'),
    diskRead: averages('Bytes read per second, over all disks.'),
    diskWrite: averages('Bytes written per second, over all disks.'),
  },
);
export interface Usage extends Static<typeof usageSchema> {}

const requirementSchema = object(
  'Each is about one label.',
  {
    key: text('The label.', { maxLength: 317, minLength: 1, form: LABEL_KEY_FORM }),
    operator: stringEnum(
      'In and NotIn compare the label with the values; Exists and DoesNotExist look only whether it is there.',
      ['In', 'NotIn', 'Exists', 'DoesNotExist'],
    ),
    values: optional(
      list(
        'What In and NotIn compare the label with.',
        text('A label value.', { maxLength: 63, form: LABEL_VALUE_FORM }),
        { maxItems: 16 },
      ),
    ),
  },
  {
    rules: [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
        message: 'values must be given for In and NotIn, and left out for Exists and DoesNotExist',
      },
    ],
  },
);

/** Labels as an object carries them. */
export function labelMap(description: string) {
  return stringMap(description, {
    maxProperties: 16,
    maxLength: 63,
    rules: [
      {
        rule: `self.all(key, key.size() <= 317 && key.matches('${LABEL_KEY_FORM.pattern}'))`,
        message: `every key ${LABEL_KEY_FORM.message}`,
      },
      {
        rule: `self.all(key, self[key].matches('${LABEL_VALUE_FORM.pattern}'))`,
        message: `every value ${LABEL_VALUE_FORM.message}`,
      },
    ],
  });
}

const selectorProperties = {
  matchLabels: optional(labelMap('Labels that the object must carry with exactly these values.')),
  matchExpressions: optional(
    list('Further requirements on labels, all of which must hold.', requirementSchema, { maxItems: 16 }),
  ),
};

/** A metav1.LabelSelector; the description says what is selected. */
export function labelSelector(description: string) {
  return object(description, selectorProperties);
}
export interface LabelSelector extends Static<ReturnType<typeof labelSelector>> {}

/** The part of metav1.ObjectMeta that this project reads. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

export const uuidText = (description: string) => text(description, { maxLength: 36, pattern: '^[0-9a-f-]{36}$' });

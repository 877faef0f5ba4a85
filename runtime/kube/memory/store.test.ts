import { memoryUnderTest } from '../conformance/in-memory.ts';
import { describeStore } from '../conformance/suite.ts';

describeStore(memoryUnderTest());

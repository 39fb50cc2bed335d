/** Whole numbers of the contract, each no larger than the column that keeps it. */
import Type from 'typebox';

/** A 32-bit column. */
export const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });

/** A 64-bit column; larger ones are not whole in JSON. */
export const LargeCount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

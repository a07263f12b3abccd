package darkroom.edittasks.tasks;

/**
 * Places and sizes of objects that the templates share, in thirty-seconds of the canvas: centres from the left, floors from
 * the top.
 */
final class Layout {
    static final int MIDDLE = 16;

    /** Centre of an object on the left of a pair. */
    static final int LEFT = 8;

    /** Centre of an object on the right of a pair. */
    static final int RIGHT = 24;

    /** Lower edge of an object in the foreground. */
    static final int FLOOR = 28;

    /** Lower edge of an object at the top. */
    static final int TOP_BOTTOM = 14;

    /** Side of an object at the top. */
    static final int TOP_SIDE = 13;

    /** Side of a new object that another one stands beside. */
    static final int PAIR_SIDE = 15;

    /** Side of a new object that nothing stands beside. */
    static final int ALONE_SIDE = 20;

    private Layout() {}

    static int side(boolean left) {
        return left ? LEFT : RIGHT;
    }
}

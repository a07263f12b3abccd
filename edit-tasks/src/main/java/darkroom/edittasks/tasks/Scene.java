package darkroom.edittasks.tasks;

import darkroom.edittasks.pictures.Pixels;
import darkroom.edittasks.pictures.RgbImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The content of a picture; an edit is a change of it.
 *
 * @param look name of a treatment of the whole picture, empty for none
 * @param sign word on a sign, empty for no sign
 * @param boxed index of the object with a red box around it, -1 for none
 */
record Scene(Backdrop backdrop, List<Placed> objects, String look, String sign, int boxed) {

    /**
     * An object in its place, in thirty-seconds of the canvas.
     *
     * @param tint empty, a colour, {@code darker} or {@code brighter}
     * @param centre of its square, from the left
     * @param bottom of its square, from the top
     */
    record Placed(
            String icon,
            String set,
            String tint,
            boolean mirrored,
            boolean inverted,
            double centre,
            double bottom,
            double side) {

        Placed(String icon, double centre, double bottom, double side) {
            this(icon, Art.NOTO, "", false, false, centre, bottom, side);
        }

        Placed icon(String other) {
            return new Placed(other, set, tint, mirrored, inverted, centre, bottom, side);
        }

        Placed set(String other) {
            return new Placed(icon, other, tint, mirrored, inverted, centre, bottom, side);
        }

        Placed tint(String other) {
            return new Placed(icon, set, other, mirrored, inverted, centre, bottom, side);
        }

        Placed mirror() {
            return new Placed(icon, set, tint, !mirrored, inverted, centre, bottom, side);
        }

        Placed invert() {
            return new Placed(icon, set, tint, mirrored, !inverted, centre, bottom, side);
        }

        Placed centre(double other) {
            return new Placed(icon, set, tint, mirrored, inverted, other, bottom, side);
        }

        /** Returns the object scaled about its middle. */
        Placed scale(double factor) {
            return new Placed(
                    icon, set, tint, mirrored, inverted, centre, bottom + side * (factor - 1) / 2, side * factor);
        }
    }

    Scene {
        objects = List.copyOf(objects);
    }

    Scene(Backdrop backdrop, List<Placed> objects) {
        this(backdrop, objects, "", "", -1);
    }

    Scene backdrop(Backdrop other) {
        return new Scene(other, objects, look, sign, boxed);
    }

    Scene look(String other) {
        return new Scene(backdrop, objects, other, sign, boxed);
    }

    Scene sign(String other) {
        return new Scene(backdrop, objects, look, other, boxed);
    }

    Scene boxed(int other) {
        return new Scene(backdrop, objects, look, sign, other);
    }

    Scene with(Placed added) {
        List<Placed> more = new ArrayList<>(objects);
        more.add(added);
        return new Scene(backdrop, more, look, sign, boxed);
    }

    Scene without(int index) {
        List<Placed> fewer = new ArrayList<>(objects);
        fewer.remove(index);
        return new Scene(backdrop, fewer, look, sign, boxed);
    }

    Scene change(int index, UnaryOperator<Placed> change) {
        List<Placed> changed = new ArrayList<>(objects);
        changed.set(index, change.apply(objects.get(index)));
        return new Scene(backdrop, changed, look, sign, boxed);
    }

    Scene each(UnaryOperator<Placed> change) {
        return new Scene(backdrop, objects.stream().map(change).toList(), look, sign, boxed);
    }

    /** Renders a picture of {@code n} by {@code n} pixels, n a multiple of 32. */
    RgbImage render(int n) {
        float[] canvas = backdrop.paint(n);
        double unit = n / 32.0;
        for (int i = 0; i < objects.size(); i++) {
            Placed object = objects.get(i);
            int side = (int) Math.round(object.side * unit);
            int left = (int) Math.round((object.centre - object.side / 2) * unit);
            int top = (int) Math.round(object.bottom * unit) - side;
            Art.sprite(object.icon, object.set, object.tint, side)
                    .over(canvas, n, left, top, object.mirrored, object.inverted);
            if (i == boxed) {
                outline(canvas, n, left - (int) unit, top - (int) unit, side + 2 * (int) unit);
            }
        }
        if (!sign.isEmpty()) {
            Lettering.draw(canvas, n, sign);
        }
        return Pixels.image(Look.apply(canvas, n, look), n);
    }

    private static void outline(float[] canvas, int n, int left, int top, int side) {
        int thick = n / 32;
        int x0 = Math.max(0, left);
        int y0 = Math.max(0, top);
        int x1 = Math.min(n, left + side);
        int y1 = Math.min(n, top + side);
        for (int y = y0; y < y1; y++) {
            for (int x = x0; x < x1; x++) {
                if (x < x0 + thick || x >= x1 - thick || y < y0 + thick || y >= y1 - thick) {
                    canvas[(y * n + x) * 3] = 235;
                    canvas[(y * n + x) * 3 + 1] = 0;
                    canvas[(y * n + x) * 3 + 2] = 0;
                }
            }
        }
    }
}

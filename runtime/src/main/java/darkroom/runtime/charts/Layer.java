package darkroom.runtime.charts;

import java.util.List;

/** Values of bars under one name, in one colour. */
public record Layer(String name, PageColor color, List<Double> values) {
    public Layer {
        values = List.copyOf(values);
    }

    /** Returns the number of values that are not finite. */
    long infinite() {
        return values.stream().filter(value -> !Double.isFinite(value)).count();
    }
}

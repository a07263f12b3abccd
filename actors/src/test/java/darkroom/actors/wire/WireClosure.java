package darkroom.actors.wire;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/** Everything that some messages can hold, found by reflection. */
final class WireClosure {
    /** Boxed numbers other than those of a shape are left out: a list of them would be a tensor. */
    private static final Set<Class<?>> LEAVES =
            Set.of(int.class, long.class, double.class, boolean.class, Integer.class, String.class, Duration.class);

    private final Set<Class<?>> classes = new LinkedHashSet<>();
    private final List<String> foreign = new ArrayList<>();

    private WireClosure() {}

    static WireClosure of(Class<?>... messages) {
        WireClosure closure = new WireClosure();
        for (Class<?> message : messages) {
            closure.add(message, message.getSimpleName());
        }
        return closure;
    }

    /** Returns the records and enums. */
    Set<Class<?>> classes() {
        return classes;
    }

    /**
     * Returns the components that are neither records, enums, sealed interfaces, references to actors nor small and plain
     * values.
     */
    List<String> foreign() {
        return foreign;
    }

    private void add(Type declared, String where) {
        switch (declared) {
            case Class<?> leaf when LEAVES.contains(leaf) -> {}
            case Class<?> type
            when type.isRecord() -> {
                if (classes.add(type)) {
                    for (RecordComponent component : type.getRecordComponents()) {
                        add(component.getGenericType(), type.getSimpleName() + "." + component.getName());
                    }
                }
            }
            case Class<?> type when type.isEnum() -> classes.add(type);
            case Class<?> type
            when type.isSealed() && type.getPackageName().startsWith("darkroom.") -> {
                for (Class<?> variant : type.getPermittedSubclasses()) {
                    add(variant, where);
                }
            }
            case TypeVariable<?> variable -> add(variable.getBounds()[0], where);
            case ParameterizedType type when type.getRawType() == ActorRef.class -> {}
            case ParameterizedType type
            when Set.<Type>of(List.class, Set.class, Optional.class).contains(type.getRawType()) ->
                add(type.getActualTypeArguments()[0], where);
            case ParameterizedType type
            when type.getRawType() instanceof Class<?> raw && (raw.isRecord() || raw.isSealed()) -> add(raw, where);
            default -> foreign.add(where + " is a " + declared.getTypeName());
        }
    }
}

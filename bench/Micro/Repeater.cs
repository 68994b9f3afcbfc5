using System.Reflection;

namespace Shockwave.Micro;

/// <summary>Turns a benchmark method into "call it n times" without an allocation of its own: no reflection and no boxing per call.</summary>
internal static class Repeater
{
    public static Action<int> Create(MethodInfo method, object instance)
    {
        Type result = method.ReturnType;
        if (result == typeof(void))
        {
            Action call = method.CreateDelegate<Action>(instance);
            return count => Repeat(call, count);
        }

        Type function = typeof(Func<>).MakeGenericType(result);
        string repeat = nameof(RepeatValue);
        Type[] arguments = [result];
        if (result == typeof(ValueTask) || result == typeof(Task))
        {
            (repeat, arguments) = (result.Name == nameof(Task) ? nameof(RepeatTask) : nameof(RepeatValueTask), []);
        }
        else if (result.IsGenericType && result.GetGenericTypeDefinition() == typeof(ValueTask<>))
        {
            (repeat, arguments) = (nameof(RepeatValueTaskOf), result.GetGenericArguments());
        }
        else if (result.IsGenericType && result.GetGenericTypeDefinition() == typeof(Task<>))
        {
            (repeat, arguments) = (nameof(RepeatTaskOf), result.GetGenericArguments());
        }

        MethodInfo body = typeof(Repeater).GetMethod(repeat, BindingFlags.Static | BindingFlags.NonPublic)!;
        body = arguments.Length == 0 ? body : body.MakeGenericMethod(arguments);
        return body.CreateDelegate<Action<int>>(method.CreateDelegate(function, instance));
    }

    private static void Repeat(Action call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            call();
        }
    }

    private static void RepeatValue<T>(Func<T> call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            call();
        }
    }

    private static void RepeatValueTask(Func<ValueTask> call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ValueTask task = call();
            if (!task.IsCompleted)
            {
                throw Incomplete();
            }

            task.GetAwaiter().GetResult();
        }
    }

    private static void RepeatValueTaskOf<T>(Func<ValueTask<T>> call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ValueTask<T> task = call();
            if (!task.IsCompleted)
            {
                throw Incomplete();
            }

            task.GetAwaiter().GetResult();
        }
    }

    private static void RepeatTask(Func<Task> call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Task task = call();
            if (!task.IsCompleted)
            {
                throw Incomplete();
            }

            task.GetAwaiter().GetResult();
        }
    }

    private static void RepeatTaskOf<T>(Func<Task<T>> call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Task<T> task = call();
            if (!task.IsCompleted)
            {
                throw Incomplete();
            }

            task.GetAwaiter().GetResult();
        }
    }

    private static InvalidOperationException Incomplete() =>
        new("The operation did not complete synchronously: its allocations cannot be attributed.");
}
